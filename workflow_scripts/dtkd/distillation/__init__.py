"""The paper's equations, and what a step of each kind of training minimises."""
