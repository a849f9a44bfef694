"""What can be seen of a running desk: metrics, traces, logs. Nothing in it says who a customer is."""
