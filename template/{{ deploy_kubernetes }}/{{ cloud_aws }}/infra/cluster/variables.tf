variable "name" {
  description = "The cluster's name, and the first part of what belongs to it."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts Kubernetes' secrets."
  type        = string
}
