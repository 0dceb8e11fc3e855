"""What goes on around a study: its plan, its checks and audits, whether its records still hold."""
