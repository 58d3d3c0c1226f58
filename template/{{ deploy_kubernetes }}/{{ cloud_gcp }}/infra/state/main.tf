# Where Terraform remembers what it has made. Applied once, before anything else; see the README beside this folder.
terraform {
  required_version = ">= 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = { project = var.name, managed-by = "terraform" }
}

resource "google_storage_bucket" "state" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs record who reads the state; a log bucket would need a bucket of its own
  name                        = "${var.project}-${var.name}-terraform"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 90
      num_newer_versions         = 20
    }
    action {
      type = "Delete"
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

output "backend" {
  description = "The content of ../backend.hcl, which tells `terraform init` where the state is."
  value       = <<-EOT
    bucket = "${google_storage_bucket.state.name}"
    prefix = "infra"
  EOT
}
