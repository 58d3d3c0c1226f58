resource "azurerm_storage_account" "this" {
  #checkov:skip=CKV_AZURE_33:The account has no queues
  #checkov:skip=CKV_AZURE_59:CI's hosted runners train outside the network; only identities of the tenant get in
  #checkov:skip=CKV_AZURE_206:Versions protect against mistakes; a copy in another region is a choice with a price
  #checkov:skip=CKV2_AZURE_1:Microsoft's keys encrypt it; a key vault of one's own is a choice with a price
  #checkov:skip=CKV2_AZURE_33:CI's hosted runners train outside the network; only identities of the tenant get in
  name                            = local.unique
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_tier                    = "Standard"
  account_replication_type        = "ZRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  local_user_enabled              = false
  allow_nested_items_to_be_public = false
  blob_properties {
    versioning_enabled = true
    delete_retention_policy {
      days = 30
    }
    container_delete_retention_policy {
      days = 30
    }
  }
}

# data for training, models for bundles, predictions-ENVIRONMENT for the prediction logs.
resource "azurerm_storage_container" "this" {
  #checkov:skip=CKV2_AZURE_21:Diagnostic settings tell who reads what, where that has to be known
  for_each           = toset(["data", "models", "predictions-staging", "predictions-prod"])
  name               = each.value
  storage_account_id = azurerm_storage_account.this.id
}

resource "azurerm_storage_management_policy" "this" {
  storage_account_id = azurerm_storage_account.this.id
  rule {
    name    = "prediction-logs"
    enabled = true
    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["predictions-"]
    }
    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = var.prediction_log_days
      }
    }
  }
  rule {
    name    = "old-versions"
    enabled = true
    filters {
      blob_types = ["blockBlob"]
    }
    actions {
      version {
        delete_after_days_since_creation = 30
      }
    }
  }
}

# A prediction log is written and never read by the service; no built-in role says that.
resource "azurerm_role_definition" "log_writer" {
  name        = "${var.name} prediction log writer"
  description = "Writes blobs, and neither reads nor lists nor deletes them"
  scope       = azurerm_storage_account.this.id
  permissions {
    data_actions = [
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
    ]
  }
}

locals {
  reader      = "Storage Blob Data Reader"
  contributor = "Storage Blob Data Contributor"
  workload    = { for name, identity in azurerm_user_assigned_identity.workload : name => identity.principal_id }

  # Who has which role on which container.
  grants = {
    training-data   = { principal = local.workload["training"], role = local.reader, container = "data" }
    training-models = { principal = local.workload["training"], role = local.contributor, container = "models" }
    drift-log       = { principal = local.workload["drift"], role = local.reader, container = "predictions-prod" }
  }
}

resource "azurerm_role_assignment" "storage" {
  for_each             = local.grants
  scope                = azurerm_storage_container.this[each.value.container].id
  role_definition_name = each.value.role
  principal_id         = each.value.principal
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "bundles" { # of the models, bundles only, and by their names only
  for_each             = toset(["serving-staging", "serving-prod", "drift"])
  scope                = azurerm_storage_container.this["models"].id
  role_definition_name = local.reader
  principal_id         = local.workload[each.key]
  principal_type       = "ServicePrincipal"
  condition_version    = "2.0"
  condition            = <<-EOT
    (!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})
    OR @Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike 'bundles/*')
  EOT
}

resource "azurerm_role_assignment" "log" {
  for_each           = toset(["staging", "prod"])
  scope              = azurerm_storage_container.this["predictions-${each.key}"].id
  role_definition_id = azurerm_role_definition.log_writer.role_definition_resource_id
  principal_id       = local.workload["serving-${each.key}"]
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "data" {
  for_each             = var.data_containers
  scope                = each.value
  role_definition_name = local.reader
  principal_id         = local.workload["training"]
  principal_type       = "ServicePrincipal"
}
