# The network, and the Application Gateway for Containers with a frontend for each environment.
resource "azurerm_virtual_network" "this" {
  name                = var.name
  resource_group_name = var.resource_group.name
  location            = var.resource_group.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "nodes" {
  #checkov:skip=CKV2_AZURE_31:Kubernetes' network policies decide who reaches whom; AKS guards the nodes
  name                 = "nodes"
  resource_group_name  = var.resource_group.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.0.0/20"]
}

resource "azurerm_subnet" "gateway" {
  #checkov:skip=CKV2_AZURE_31:The subnet belongs to the gateway alone
  name                 = "gateway"
  resource_group_name  = var.resource_group.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.16.0/24"]
  delegation {
    name = "gateway"
    service_delegation {
      name    = "Microsoft.ServiceNetworking/trafficControllers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_application_load_balancer" "this" {
  name                = var.name
  resource_group_name = var.resource_group.name
  location            = var.resource_group.location
}

resource "azurerm_application_load_balancer_subnet_association" "this" {
  name                         = "gateway"
  application_load_balancer_id = azurerm_application_load_balancer.this.id
  subnet_id                    = azurerm_subnet.gateway.id
}

resource "azurerm_application_load_balancer_frontend" "this" {
  for_each                     = toset(["staging", "prod"])
  name                         = "${var.name}-${each.key}"
  application_load_balancer_id = azurerm_application_load_balancer.this.id
}

resource "azurerm_user_assigned_identity" "gateway" {
  name                = "${var.name}-gateway"
  resource_group_name = var.resource_group.name
  location            = var.resource_group.location
}

resource "azurerm_federated_identity_credential" "gateway" {
  name                = "cluster"
  resource_group_name = var.resource_group.name
  parent_id           = azurerm_user_assigned_identity.gateway.id
  issuer              = azurerm_kubernetes_cluster.this.oidc_issuer_url
  audience            = ["api://AzureADTokenExchange"]
  subject             = "system:serviceaccount:azure-alb-system:alb-controller-sa"
}

resource "azurerm_role_assignment" "gateway" {
  for_each = {
    "AppGw for Containers Configuration Manager" = var.resource_group.id
    "Network Contributor"                        = azurerm_subnet.gateway.id
    "Reader"                                     = azurerm_kubernetes_cluster.this.node_resource_group_id
  }
  scope                = each.value
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.gateway.principal_id
  principal_type       = "ServicePrincipal"
}
