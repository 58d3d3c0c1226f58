output "ci_variables" {
  description = "The variables of CI; none of them is secret."
  value = merge(
    {
      REGION             = var.region
      IMAGE              = aws_ecr_repository.this["serving"].repository_url
      TRAIN_IMAGE        = aws_ecr_repository.this["training"].repository_url
      STORE_URI          = local.store_uri
      PREDICTION_LOG_URI = "${local.log_uri}/prod"
    },
    { for stage, role in aws_iam_role.ci : "IDENTITY_${upper(stage)}" => role.arn },
    local.has_cluster ? { CLUSTER = local.cluster_name } : {},
  )
}

output "settings" {
  description = "What settings.py writes into the settings.yaml of deploy/."
  value = {
    "overlays/staging" = { PREDICTION_LOG_URI = "${local.log_uri}/staging" }
    "overlays/prod"    = { PREDICTION_LOG_URI = "${local.log_uri}/prod" }
    "train"            = { STORE_URI = local.store_uri }
  }
}

output "data_uri" {
  description = "Where training data may be put."
  value       = "s3://${aws_s3_bucket.this.bucket}/data"
}

output "role_bindings" {
  description = "What an administrator of the cluster applies once, so that CI may work in the namespaces."
  value = join("---\n", [for stage, role in { staging = "cluster-admin", prod = "cluster-admin", train = "edit" } : yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "ci", namespace = local.ci_namespaces[stage] }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = role } # within the namespace
    subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "${local.ci_namespaces[stage]}-ci" }]
  })])
}

output "connect" {
  description = "The command that lets kubectl reach the cluster; null while there is none."
  value       = local.has_cluster ? "aws eks update-kubeconfig --region ${var.region} --name ${local.cluster_name}" : null
}
