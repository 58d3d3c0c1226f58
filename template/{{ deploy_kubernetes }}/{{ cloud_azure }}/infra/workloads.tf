# What the pods may do: a managed identity for each service account of deploy/, which Entra Workload ID lets only that
# service account become.
locals {
  workloads = {
    serving-staging = "system:serviceaccount:${var.namespace}-staging:serving"
    serving-prod    = "system:serviceaccount:${var.namespace}-prod:serving"
    drift           = "system:serviceaccount:${var.namespace}-prod:drift"
    training        = "system:serviceaccount:${var.namespace}-train:training"
  }
}

resource "azurerm_user_assigned_identity" "workload" {
  for_each            = local.workloads
  name                = "${var.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_federated_identity_credential" "workload" {
  for_each            = local.has_cluster ? local.workloads : {}
  name                = "cluster"
  resource_group_name = azurerm_resource_group.this.name
  parent_id           = azurerm_user_assigned_identity.workload[each.key].id
  issuer              = local.cluster.issuer
  audience            = ["api://AzureADTokenExchange"]
  subject             = each.value
}
