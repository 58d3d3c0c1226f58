# What CI may do: each stage has a managed identity, which only tokens with that stage's subject can become.
resource "azurerm_user_assigned_identity" "ci" {
  for_each            = var.ci_subjects
  name                = "${var.name}-ci-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_federated_identity_credential" "ci" {
  for_each            = var.ci_subjects
  name                = "ci"
  resource_group_name = azurerm_resource_group.this.name
  parent_id           = azurerm_user_assigned_identity.ci[each.key].id
  issuer              = var.ci_issuer
  audience            = [var.ci_audience]
  subject             = each.value
}

# The stage image pushes; a release looks up a digest and verifies its signature. What they may read and write in
# storage is in storage.tf.
resource "azurerm_role_assignment" "ci_registry" {
  for_each             = { image = "AcrPush", staging = "AcrPull", prod = "AcrPull" }
  scope                = azurerm_container_registry.this.id
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.ci[each.key].principal_id
  principal_type       = "ServicePrincipal"
}
