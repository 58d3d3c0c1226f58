# What CI may do: each stage has a role, which only tokens with that stage's subject can assume.
locals {
  ci_host     = trimprefix(var.ci_issuer, "https://")
  ci_provider = one(concat(aws_iam_openid_connect_provider.ci[*].arn, data.aws_iam_openid_connect_provider.ci[*].arn))
}

resource "aws_iam_openid_connect_provider" "ci" {
  count          = var.create_ci_provider ? 1 : 0
  url            = var.ci_issuer
  client_id_list = [var.ci_audience]
}

data "aws_iam_openid_connect_provider" "ci" {
  count = var.create_ci_provider ? 0 : 1
  url   = var.ci_issuer
}

data "aws_iam_policy_document" "ci_trust" {
  for_each = var.ci_subjects
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.ci_provider]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.ci_host}:aud"
      values   = [var.ci_audience]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.ci_host}:sub"
      values   = [each.value]
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each             = var.ci_subjects
  name                 = "${var.name}-ci-${each.key}"
  description          = "CI of ${var.name}, stage ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.ci_trust[each.key].json
  max_session_duration = each.key == "train" ? 14400 : 3600
}

resource "aws_iam_role_policy" "ci" {
  for_each = {
    image   = data.aws_iam_policy_document.push.json
    train   = data.aws_iam_policy_document.ci_train.json
    staging = data.aws_iam_policy_document.release.json
    prod    = data.aws_iam_policy_document.release.json
  }
  name   = "stage"
  role   = aws_iam_role.ci[each.key].id
  policy = each.value
}

data "aws_iam_policy_document" "push" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid = "PullAndPush"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [for repository in aws_ecr_repository.this : repository.arn]
  }
}

# Trains as the cluster does, and looks at the prediction log to see whether it should.
data "aws_iam_policy_document" "ci_train" {
  source_policy_documents = [
    data.aws_iam_policy_document.training.json,
    data.aws_iam_policy_document.drift.json,
  ]
}

# A release looks up the digest of an image, verifies its signature, and looks up a bundle.
data "aws_iam_policy_document" "release" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid       = "Pull"
    actions   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
    resources = [for repository in aws_ecr_repository.this : repository.arn]
  }
  statement {
    sid       = "ReadBundles"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.this.arn}/models/*"]
  }
  statement { # the whole bucket, or S3 would not tell what is missing from what is forbidden
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
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
