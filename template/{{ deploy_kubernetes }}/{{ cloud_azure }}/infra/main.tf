terraform {
  required_version = ">= 1.11"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }
  backend "azurerm" {} # backend.hcl says where
}

provider "azurerm" {
  subscription_id     = var.subscription_id
  storage_use_azuread = true
  features {}
}

data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = var.location
}

locals {
  # Accounts and registries share one space of names with the whole world, and have no dashes.
  unique = substr("${replace(var.name, "-", "")}${sha1(var.subscription_id)}", 0, 24)
}
