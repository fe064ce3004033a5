"""A small web server in Python, with the calls of the article that this course follows."""

import socket
import sys

host = "127.0.0.1"
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
if sys.platform != "win32":
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
host, port = server.getsockname()
print(f"Server is listening on http://{host}:{port}")

while True:
    client, address = server.accept()
    print(f"Connection from {address} has been established!")

    request = client.recv(1024)
    print(f"Request received:\n{request.decode()}")

    client.sendall(b"HTTP/1.1 200 OK\n\nHello, World! This is a simple web server.")
    client.close()
