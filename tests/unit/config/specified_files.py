"""The JSON of the specification, as it is printed there."""

DISTRIBUTED = """{
  "redis": {
    "master": {
      "host": "redis-master",
      "port": 6379,
      "password": "",
      "db": 0
    },
    "sentinel": {
      "hosts": ["redis-sentinel:26379"],
      "master_name": "mymaster",
      "password": ""
    }
  },
  "selenium": {
    "hub_url": "http://selenium-hub:4444",
    "max_sessions": 10,
    "session_timeout": 300
  },
  "worker": {
    "max_workers_per_node": 4,
    "task_timeout": 120,
    "heartbeat_interval": 30,
    "max_retry_attempts": 3
  },
  "scheduler": {
    "task_distribution_interval": 5,
    "worker_health_check_interval": 60,
    "cleanup_interval": 300
  },
  "gateway": {
    "rate_limit": {
      "requests_per_minute": 100,
      "burst_size": 20
    },
    "load_balancer": {
      "algorithm": "round_robin",
      "health_check_interval": 30
    }
  }
}
"""

CONCURRENCY = """{
  "worker": {
    "max_workers_per_node": 4,  // 根据CPU核心数调整
    "task_timeout": 120,        // 任务超时时间
    "batch_size": 10            // 批处理大小
  }
}
"""

CACHE = """{
  "redis": {
    "max_connections": 100,
    "connection_pool_size": 20,
    "task_result_ttl": 3600     // 结果缓存时间
  }
}
"""

ACCESS = """{
  "security": {
    "api_key_required": true,
    "allowed_origins": ["https://yourdomain.com"],
    "rate_limiting": {
      "enabled": true,
      "requests_per_minute": 100
    }
  }
}
"""
