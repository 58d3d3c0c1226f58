variable "name" {
  description = "The cluster's name, and the first part of what belongs to it."
  type        = string
}

variable "resource_group" {
  description = "Where it is."
  type        = object({ id = string, name = string, location = string })
}

variable "registry_id" {
  description = "The registry from which nodes pull images."
  type        = string
}

variable "tenant_id" {
  description = "The Entra tenant whose identities the cluster knows."
  type        = string
}

variable "admin_id" {
  description = "Who administers the cluster: the object id of a user or a group."
  type        = string
}
