# What the pods may do: a role for each service account of deploy/, handed out by EKS Pod Identity.
locals {
  workloads = {
    serving-staging = { namespace = "${var.namespace}-staging", account = "serving" }
    serving-prod    = { namespace = "${var.namespace}-prod", account = "serving" }
    drift           = { namespace = "${var.namespace}-prod", account = "drift" }
    training        = { namespace = "${var.namespace}-train", account = "training" }
  }
}

# Pod Identity tags each session with the pod's namespace and service account, which nobody else can do.
data "aws_iam_policy_document" "workload_trust" {
  for_each = local.workloads
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [each.value.namespace]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.value.account]
    }
  }
}

resource "aws_iam_role" "workload" {
  for_each           = local.workloads
  name               = "${var.name}-${each.key}"
  description        = "Service account ${each.value.account} in namespace ${each.value.namespace}"
  assume_role_policy = data.aws_iam_policy_document.workload_trust[each.key].json
}

resource "aws_iam_role_policy" "workload" {
  for_each = {
    serving-staging = data.aws_iam_policy_document.serving["staging"].json
    serving-prod    = data.aws_iam_policy_document.serving["prod"].json
    drift           = data.aws_iam_policy_document.drift.json
    training        = data.aws_iam_policy_document.training.json
  }
  name   = "storage"
  role   = aws_iam_role.workload[each.key].id
  policy = each.value
}

data "aws_iam_policy_document" "serving" {
  for_each = toset(["staging", "prod"])
  statement {
    sid       = "ReadBundles"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.this.arn}/models/bundles/*"]
  }
  statement {
    sid       = "WritePredictionLog"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.this.arn}/predictions/${each.key}/*"]
  }
  statement {
    sid       = "UseKeyForStorage"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "drift" {
  statement {
    sid     = "ReadBundlesAndPredictionLog"
    actions = ["s3:GetObject"]
    resources = [
      "${aws_s3_bucket.this.arn}/models/bundles/*",
      "${aws_s3_bucket.this.arn}/predictions/prod/*",
    ]
  }
  statement {
    sid       = "ListPredictionLog"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["predictions/prod/*"]
    }
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

# For training in the cluster and on CI's runners alike.
data "aws_iam_policy_document" "training" {
  statement {
    sid       = "ReadData"
    actions   = ["s3:GetObject"]
    resources = concat(["${aws_s3_bucket.this.arn}/data/*"], [for b in var.data_buckets : "arn:aws:s3:::${b}/*"])
  }
  statement {
    sid       = "ReadAndWriteBundles"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.this.arn}/models/*"]
  }
  statement { # the whole bucket, or S3 would not tell what is missing from what is forbidden
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = concat([aws_s3_bucket.this.arn], [for b in var.data_buckets : "arn:aws:s3:::${b}"])
  }
  statement {
    sid       = "UseKeyForStorage"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}
