# ── The release: ENV/release.tfvars.json, written by the project's `release` command ─────────────────────────────────

variable "image" {
  description = "The image by its digest: registry/name@sha256:…"
  type        = string
}

variable "model" {
  description = "The URI of the bundle."
  type        = string
}

# ── The environment: ENV/settings.tfvars ────────────────────────────────────────────────────────────────────────────

variable "environment" {
  description = "The environment: staging or prod."
  type        = string
}

variable "instance_type" {
  description = "The type of the instances."
  type        = string
}

variable "workers" {
  description = "Processes on each instance, of which each uses one core and holds the model."
  type        = number
}

variable "min_instances" {
  description = "How many instances there are at least; with 2 or more, a release begins with one of them."
  type        = number
}

variable "max_instances" {
  description = "How many instances there are at most."
  type        = number
  validation {
    condition     = var.max_instances >= var.min_instances
    error_message = "There cannot be fewer instances at most than there are at least."
  }
}

variable "requests_per_minute" {
  description = "How many requests each instance should get; with more, instances are added."
  type        = number
}

# ── What infra/ has made: infra.auto.tfvars.json ────────────────────────────────────────────────────────────────────

variable "region" {
  description = "Where everything is."
  type        = string
}

variable "name" {
  description = "The first part of every name."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the instances' disks."
  type        = string
}

variable "subnets" {
  description = "The subnets of the containers."
  type        = list(string)
}

variable "security_groups" {
  description = "The security groups of the containers."
  type        = list(string)
}

variable "roles" {
  description = "The role of each environment's endpoint."
  type        = map(string)
}

variable "prediction_logs" {
  description = "Where each environment's predictions are logged."
  type        = map(string)
}
