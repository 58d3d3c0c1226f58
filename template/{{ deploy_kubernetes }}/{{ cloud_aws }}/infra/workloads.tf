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
