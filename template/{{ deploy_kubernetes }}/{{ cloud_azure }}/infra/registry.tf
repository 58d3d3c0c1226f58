resource "azurerm_container_registry" "this" {
  #checkov:skip=CKV_AZURE_139:CI's hosted runners push from outside the network; only identities of the tenant get in
  #checkov:skip=CKV_AZURE_164:Images are signed with cosign; this is Docker's content trust
  #checkov:skip=CKV_AZURE_165:A copy in another region needs the Premium tier
  #checkov:skip=CKV_AZURE_166:Quarantine needs the Premium tier
  #checkov:skip=CKV_AZURE_167:Retention needs the Premium tier
  #checkov:skip=CKV_AZURE_233:Redundancy over zones needs the Premium tier
  #checkov:skip=CKV_AZURE_237:Data endpoints of its own need the Premium tier
  name                   = local.unique
  resource_group_name    = azurerm_resource_group.this.name
  location               = azurerm_resource_group.this.location
  sku                    = "Standard"
  admin_enabled          = false
  anonymous_pull_enabled = false
}
