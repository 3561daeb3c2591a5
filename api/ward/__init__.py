"""区の画面（serve ward）。"""
