# As whom the endpoints run: a role for each environment, which SageMaker assumes.
data "aws_iam_policy_document" "serving_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "serving" {
  for_each           = toset(["staging", "prod"])
  name               = "${var.name}-serving-${each.key}"
  description        = "The endpoint ${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.serving_trust.json
}

resource "aws_iam_role_policy" "serving" {
  for_each = {
    staging = data.aws_iam_policy_document.serving["staging"].json
    prod    = data.aws_iam_policy_document.serving["prod"].json
  }
  name   = "storage"
  role   = aws_iam_role.serving[each.key].id
  policy = each.value
}

resource "aws_iam_role_policy" "host" {
  for_each = aws_iam_role.serving
  name     = "host"
  role     = each.value.id
  policy   = data.aws_iam_policy_document.host.json
}

# What SageMaker itself does as that role: it pulls the image, keeps logs, and connects instances to the network.
data "aws_iam_policy_document" "host" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid       = "Pull"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.this["serving"].arn]
  }
  statement {
    sid       = "KeepLogs"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:${var.region}:${local.account_id}:log-group:/aws/sagemaker/Endpoints/${var.name}-*"]
  }
  statement {
    sid = "DescribeNetworks"
    actions = [
      "ec2:DescribeDhcpOptions",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"]
  }
  statement {
    sid     = "Connect"
    actions = ["ec2:CreateNetworkInterface"]
    resources = concat(
      aws_subnet.private[*].arn,
      [aws_security_group.serving.arn, "arn:aws:ec2:${var.region}:${local.account_id}:network-interface/*"],
    )
  }
  statement {
    sid = "Disconnect"
    actions = [
      "ec2:CreateNetworkInterfacePermission",
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterfacePermission",
    ]
    resources = ["arn:aws:ec2:${var.region}:${local.account_id}:network-interface/*"]
    condition {
      test     = "ArnEquals"
      variable = "ec2:Subnet"
      values   = aws_subnet.private[*].arn
    }
  }
}
