variable "name" {
  description = "The cluster's name, and the first part of what belongs to it."
  type        = string
}

variable "resource_group" {
  description = "Where it is."
  type        = object({ name = string, location = string })
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

variable "zones" {
  description = "The availability zones of the nodes."
  type        = set(string)
}

variable "max_nodes" {
  description = "The most nodes that there may be."
  type        = number
}
