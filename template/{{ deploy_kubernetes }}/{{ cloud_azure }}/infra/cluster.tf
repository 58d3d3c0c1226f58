# Where it runs, once there is a cluster: one made here, or an existing one with its OIDC issuer, Entra Workload ID and
# Azure RBAC for Kubernetes.
locals {
  has_cluster = var.create_cluster || var.cluster_id != null
  cluster = one(concat(
    [for c in module.cluster : { id = c.id, name = c.name, group = azurerm_resource_group.this.name, issuer = c.issuer }],
    [for c in data.azurerm_kubernetes_cluster.existing : { id = c.id, name = c.name, group = c.resource_group_name, issuer = c.oidc_issuer_url }],
  ))
}

module "cluster" {
  source         = "./cluster"
  count          = var.create_cluster ? 1 : 0
  name           = var.name
  resource_group = { name = azurerm_resource_group.this.name, location = azurerm_resource_group.this.location }
  registry_id    = azurerm_container_registry.this.id
  tenant_id      = data.azurerm_client_config.current.tenant_id
  admin_id       = data.azurerm_client_config.current.object_id
  zones          = var.zones
  max_nodes      = var.max_nodes
}

data "azurerm_kubernetes_cluster" "existing" {
  count               = var.cluster_id == null ? 0 : 1
  name                = split("/", var.cluster_id)[8]
  resource_group_name = split("/", var.cluster_id)[4]
}
