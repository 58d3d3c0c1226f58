locals {
  endpoint = "${var.name}-${var.environment}"
  # What a model and its instances are made from. They cannot be changed, so that another content needs another name.
  container = {
    image              = var.image
    execution_role_arn = var.roles[var.environment]
    subnets            = var.subnets
    security_group_ids = var.security_groups
    environment = { # SageMaker runs the image with the argument `serve`, and asks it at port 8080
      SERVE_HOST         = "0.0.0.0"
      SERVE_PORT         = "8080"
      SERVE_WORKERS      = tostring(var.workers)
      MODEL_URI          = var.model
      MODEL_CACHE        = "/tmp/models"
      RELEASE_IMAGE      = var.image
      PREDICTION_LOG_URI = var.prediction_logs[var.environment]
      AWS_DEFAULT_REGION = var.region
    }
  }
  instances = { type = var.instance_type, count = var.min_instances, kms_key_arn = var.kms_key_arn }
  content   = substr(sha256(jsonencode([local.container, local.instances])), 0, 12)
}

resource "aws_sagemaker_model" "this" {
  #checkov:skip=CKV_AWS_370:It fetches its bundle and writes its log; the network leads to S3 and nowhere else
  name               = "${local.endpoint}-${local.content}"
  execution_role_arn = local.container.execution_role_arn
  primary_container {
    image       = local.container.image
    environment = local.container.environment
  }
  vpc_config {
    subnets            = local.container.subnets
    security_group_ids = local.container.security_group_ids
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name        = "${local.endpoint}-${local.content}"
  kms_key_arn = local.instances.kms_key_arn
  production_variants {
    variant_name           = "model"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = local.instances.type
    initial_instance_count = local.instances.count
    # It is healthy when it has fetched and verified its bundle.
    container_startup_health_check_timeout_in_seconds = 600
  }
  lifecycle {
    create_before_destroy = true
  }
}

# Another release gets instances of its own. Those before it are kept until it has answered without an alarm.
resource "aws_sagemaker_endpoint" "this" {
  name                 = local.endpoint
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  deployment_config {
    blue_green_update_policy {
      maximum_execution_timeout_in_seconds = 1200 # twice that, for a release that is taken back, fits a job of CI
      termination_wait_in_seconds          = 120
      traffic_routing_configuration {
        type                     = var.min_instances > 1 ? "CANARY" : "ALL_AT_ONCE"
        wait_interval_in_seconds = 300
        dynamic "canary_size" {
          for_each = var.min_instances > 1 ? [10] : [] # at least one instance
          content {
            type  = "CAPACITY_PERCENT"
            value = canary_size.value
          }
        }
      }
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.errors.alarm_name
      }
    }
  }
}

# It takes a release back. Who else is told, only you know: alarm_actions.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.endpoint}-errors"
  alarm_description   = "More than 1 in 100 requests fail"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = { EndpointName = local.endpoint, VariantName = "model" }
  statistic           = "Average" # 1 for each request that fails, and 0 for all others
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.01
  treat_missing_data  = "notBreaching"
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/model"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = var.min_instances
  max_capacity       = var.max_instances
}

resource "aws_appautoscaling_policy" "this" {
  name               = "requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = var.requests_per_minute
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

output "endpoint" {
  description = "The name by which the endpoint is asked."
  value       = aws_sagemaker_endpoint.this.name
}

output "configuration" {
  description = "The configuration that the endpoint has if nothing was taken back."
  value       = aws_sagemaker_endpoint_configuration.this.name
}

output "release" {
  description = "What was released, as `release` prints it."
  value       = "${var.image} ${var.model}"
  depends_on  = [aws_sagemaker_endpoint.this] # what could not be released, was not
}
