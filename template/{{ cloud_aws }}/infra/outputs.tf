output "region" {
  description = "Where everything is."
  value       = var.region
}

output "images" {
  description = "Where CI pushes the images of serving and training, without tag or digest."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "store_uri" {
  description = "STORE_URI: the registry of bundles."
  value       = "s3://${aws_s3_bucket.this.bucket}/models"
}

output "data_uri" {
  description = "Where training data may be put."
  value       = "s3://${aws_s3_bucket.this.bucket}/data"
}

output "ci_identities" {
  description = "The role that each stage of CI assumes."
  value       = { for stage, role in aws_iam_role.ci : stage => role.arn }
}

output "workload_identities" {
  description = "The role of each service account."
  value       = { for workload, role in aws_iam_role.workload : workload => role.arn }
}

output "cluster" {
  description = "The cluster's name; null while there is none."
  value       = local.has_cluster ? local.cluster_name : null
}

output "settings" {
  description = "What settings.py writes into the settings of deploy/."
  value = {
    "overlays/staging" = { PREDICTION_LOG_URI = "s3://${aws_s3_bucket.this.bucket}/predictions/staging" }
    "overlays/prod"    = { PREDICTION_LOG_URI = "s3://${aws_s3_bucket.this.bucket}/predictions/prod" }
    "train"            = { STORE_URI = "s3://${aws_s3_bucket.this.bucket}/models" }
  }
}
