# The network of the nodes, in which internal load balancers have their addresses, too.
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
