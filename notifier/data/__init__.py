"""What comes with notifier: the frexalimab profile and the made-up news site of the demo."""
