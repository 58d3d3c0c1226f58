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
