variable "name" {
  description = "The cluster's name, and the first part of what belongs to it."
  type        = string
}

variable "project" {
  description = "The id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "The cluster's region."
  type        = string
}

variable "repository" {
  description = "The registry from which nodes pull images."
  type        = string
}
