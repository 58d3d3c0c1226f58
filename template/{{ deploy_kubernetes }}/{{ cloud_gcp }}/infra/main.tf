terraform {
  required_version = ">= 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
  backend "gcs" {} # backend.hcl says where
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = { project = var.name, managed-by = "terraform" }
}

data "google_project" "this" {}

resource "google_project_service" "this" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "sts.googleapis.com",
  ])
  service            = each.value
  disable_on_destroy = false
}
