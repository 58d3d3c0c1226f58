output "ci_variables" {
  description = "The variables of CI; none of them is secret."
  value = merge(
    {
      TENANT_ID          = data.azurerm_client_config.current.tenant_id
      SUBSCRIPTION_ID    = var.subscription_id
      REGION             = var.location
      IMAGE              = "${azurerm_container_registry.this.login_server}/serving"
      TRAIN_IMAGE        = "${azurerm_container_registry.this.login_server}/training"
      STORAGE_ACCOUNT    = azurerm_storage_account.this.name
      STORE_URI          = "az://models"
      PREDICTION_LOG_URI = "az://predictions-prod"
    },
    { for stage, identity in azurerm_user_assigned_identity.ci : "IDENTITY_${upper(stage)}" => identity.client_id },
    local.has_cluster ? { CLUSTER = local.cluster.name, RESOURCE_GROUP = local.cluster.group } : {},
  )
}

output "settings" {
  description = "What settings.py writes into the settings.yaml of deploy/."
  value = {
    "overlays/staging" = {
      PREDICTION_LOG_URI = "az://predictions-staging"
      STORAGE_ACCOUNT    = azurerm_storage_account.this.name
      SERVING_CLIENT_ID  = azurerm_user_assigned_identity.workload["serving-staging"].client_id
    }
    "overlays/prod" = {
      PREDICTION_LOG_URI = "az://predictions-prod"
      STORAGE_ACCOUNT    = azurerm_storage_account.this.name
      SERVING_CLIENT_ID  = azurerm_user_assigned_identity.workload["serving-prod"].client_id
      DRIFT_CLIENT_ID    = azurerm_user_assigned_identity.workload["drift"].client_id
    }
    "train" = {
      STORE_URI          = "az://models"
      STORAGE_ACCOUNT    = azurerm_storage_account.this.name
      TRAINING_CLIENT_ID = azurerm_user_assigned_identity.workload["training"].client_id
    }
  }
}

output "data_uri" {
  description = "Where training data may be put."
  value       = "az://data"
}

output "connect" {
  description = "The command that lets kubectl reach the cluster; null while there is none."
  value       = local.has_cluster ? "az aks get-credentials --resource-group ${local.cluster.group} --name ${local.cluster.name}" : null
}
