output "id" {
  description = "The cluster's resource id."
  value       = azurerm_kubernetes_cluster.this.id
}

output "name" {
  description = "The cluster's name."
  value       = azurerm_kubernetes_cluster.this.name
}

output "issuer" {
  description = "Who signs the tokens of the cluster's service accounts."
  value       = azurerm_kubernetes_cluster.this.oidc_issuer_url
}

output "gateway_id" {
  description = "The resource id of the Application Gateway for Containers."
  value       = azurerm_application_load_balancer.this.id
}

output "frontends" {
  description = "The gateway's frontend for each environment."
  value       = { for environment, frontend in azurerm_application_load_balancer_frontend.this : environment => frontend.name }
}

output "gateway_client_id" {
  description = "The identity of the gateway's controller."
  value       = azurerm_user_assigned_identity.gateway.client_id
}
