# data/ for training, models/ for bundles, predictions/ENVIRONMENT/ for the prediction logs.
resource "google_storage_bucket" "this" {
  #checkov:skip=CKV_GCP_62:Data access audit logs tell who reads what, where that has to be known
  name                        = "${var.project}-${var.name}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      age            = var.prediction_log_days
      matches_prefix = ["predictions/"]
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
}

locals {
  store_uri = "gs://${google_storage_bucket.this.name}/models"
  log_uri   = "gs://${google_storage_bucket.this.name}/predictions"
  objects   = "projects/_/buckets/${google_storage_bucket.this.name}/objects"

  # Who has which role on which objects. Without a prefix it is the bucket: its list of names, and no content, without
  # which Cloud Storage would not tell what is missing from what is forbidden.
  list   = "roles/storage.legacyBucketReader"
  read   = "roles/storage.objectViewer"
  create = "roles/storage.objectCreator"
  write  = "roles/storage.objectUser"
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = local.workload_grants
  bucket   = google_storage_bucket.this.name
  role     = each.value.role
  member   = each.value.member
  dynamic "condition" {
    for_each = each.value.prefix == null ? [] : [each.value.prefix]
    content {
      title      = "below ${condition.value}"
      expression = "resource.name.startsWith('${local.objects}/${condition.value}')"
    }
  }
  depends_on = [module.cluster] # whose principals are unknown before
}
