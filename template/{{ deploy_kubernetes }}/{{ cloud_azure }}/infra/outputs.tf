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

output "enable_gateway" {
  description = "The commands that switch on the cluster's Gateway API; null while there is no cluster."
  value = local.has_cluster ? join(" && ", [for option in ["gateway-api", "app-routing-istio"] :
    "az aks update --resource-group ${local.cluster.group} --name ${local.cluster.name} --enable-${option}"
  ]) : null
}
