# A cluster with Entra Workload ID and Azure RBAC: nobody has a password or a certificate for it.
terraform {
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

resource "azurerm_kubernetes_cluster" "this" {
  #checkov:skip=CKV_AZURE_4:Prometheus, and no workspace of Log Analytics, is what the service is observed with
  #checkov:skip=CKV_AZURE_6:CI's hosted runners have no fixed address; every request is authenticated by Entra ID
  #checkov:skip=CKV_AZURE_115:CI's hosted runners are outside the network; every request is authenticated by Entra ID
  #checkov:skip=CKV_AZURE_116:The namespaces enforce restricted Pod Security themselves
  #checkov:skip=CKV_AZURE_117:Microsoft's keys encrypt the disks; a key vault of one's own is a choice with a price
  #checkov:skip=CKV_AZURE_172:No secret comes from a key vault
  #checkov:skip=CKV_AZURE_226:Ephemeral disks need sizes of machines that not every region has
  #checkov:skip=CKV_AZURE_227:Encryption at the host has to be enabled for the subscription first
  #checkov:skip=CKV_AZURE_232:One pool of nodes is enough for a small cluster
  name                      = var.name
  resource_group_name       = var.resource_group.name
  location                  = var.resource_group.location
  dns_prefix                = var.name
  sku_tier                  = "Standard"
  automatic_upgrade_channel = "stable"
  node_os_upgrade_channel   = "NodeImage"
  local_account_disabled    = true
  oidc_issuer_enabled       = true
  workload_identity_enabled = true

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
    tenant_id          = var.tenant_id
  }
  default_node_pool {
    name                 = "default"
    vm_size              = "Standard_D4s_v5"
    vnet_subnet_id       = azurerm_subnet.nodes.id
    zones                = var.zones
    auto_scaling_enabled = true
    min_count            = 2
    max_count            = var.max_nodes
    max_pods             = 110
    upgrade_settings {
      max_surge = "33%"
    }
  }
  maintenance_window_auto_upgrade { # Kubernetes
    frequency   = "Weekly"
    interval    = 1
    day_of_week = "Sunday"
    start_time  = "01:00"
    duration    = 4
  }
  maintenance_window_node_os {
    frequency   = "Weekly"
    interval    = 1
    day_of_week = "Sunday"
    start_time  = "05:00"
    duration    = 4
  }
  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.cluster.id]
  }
  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_policy      = "cilium"
    network_data_plane  = "cilium"
  }
  depends_on = [azurerm_role_assignment.cluster_network]
}

resource "azurerm_user_assigned_identity" "cluster" {
  name                = "${var.name}-cluster"
  resource_group_name = var.resource_group.name
  location            = var.resource_group.location
}

resource "azurerm_role_assignment" "cluster_network" {
  scope                = azurerm_virtual_network.this.id
  role_definition_name = "Network Contributor"
  principal_id         = azurerm_user_assigned_identity.cluster.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "pull" {
  scope                = var.registry_id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_kubernetes_cluster.this.kubelet_identity[0].object_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "admin" { # the user who applies this creates the namespaces
  scope                = azurerm_kubernetes_cluster.this.id
  role_definition_name = "Azure Kubernetes Service RBAC Cluster Admin"
  principal_id         = var.admin_id
}
