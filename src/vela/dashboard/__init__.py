"""The page's HTTP and Socket.IO API."""
