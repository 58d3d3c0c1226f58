environment         = "prod"
instance_type       = "ml.m5.large"
workers             = 2 # as many as the instance has cores
min_instances       = 2
max_instances       = 10
requests_per_minute = 30000 # a request of one row takes about a millisecond of one core
