# Where Terraform remembers what it has made. Applied once, before anything else; see the README beside this folder.
terraform {
  required_version = ">= 1.11"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }
}

provider "azurerm" {
  subscription_id     = var.subscription_id
  storage_use_azuread = true
  features {}
}

data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "state" {
  name     = "${var.name}-terraform"
  location = var.location
}

resource "azurerm_storage_account" "state" {
  #checkov:skip=CKV_AZURE_33:The account has no queues
  #checkov:skip=CKV_AZURE_59:Terraform runs outside the network; only identities of the tenant get in
  #checkov:skip=CKV2_AZURE_1:The state holds names and no secret; Microsoft's keys encrypt it
  #checkov:skip=CKV2_AZURE_33:Terraform runs outside the network; only identities of the tenant get in
  name                            = substr("${replace(var.name, "-", "")}${sha1("${var.subscription_id}/terraform")}", 0, 24)
  resource_group_name             = azurerm_resource_group.state.name
  location                        = azurerm_resource_group.state.location
  account_tier                    = "Standard"
  account_replication_type        = "GRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  local_user_enabled              = false
  allow_nested_items_to_be_public = false
  blob_properties {
    versioning_enabled = true
    delete_retention_policy {
      days = 90
    }
    container_delete_retention_policy {
      days = 90
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "state" {
  #checkov:skip=CKV2_AZURE_21:The activity log records changes; who reads the state is not worth a workspace
  name               = "terraform"
  storage_account_id = azurerm_storage_account.state.id
}

resource "azurerm_role_assignment" "state" { # the user who applies this may read and write the state
  scope                = azurerm_storage_account.state.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = data.azurerm_client_config.current.object_id
}

output "backend" {
  description = "The content of ../backend.hcl, which tells `terraform init` where the state is."
  value       = <<-EOT
    subscription_id      = "${var.subscription_id}"
    storage_account_name = "${azurerm_storage_account.state.name}"
    container_name       = "${azurerm_storage_container.state.name}"
    key                  = "infra.tfstate"
    use_azuread_auth     = true
  EOT
}
