"""What all pages share: state and frame, figures, prose, labels."""
