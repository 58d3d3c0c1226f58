output "data_uri" {
  description = "Where training data may be put."
  value       = "s3://${aws_s3_bucket.this.bucket}/data"
}

output "settings" {
  description = "What deploy/ has to know of all this: deploy/infra.auto.tfvars.json."
  value = {
    region          = var.region
    name            = var.name
    kms_key_arn     = aws_kms_key.this.arn
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.serving.id]
    roles           = { for environment, role in aws_iam_role.serving : environment => role.arn }
    prediction_logs = { for environment, _ in aws_iam_role.serving : environment => "${local.log_uri}/${environment}" }
  }
}
