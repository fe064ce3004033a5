"""The server of simple_server.py, after all that the page everyone.md changes."""

import re
import socket
import sys
import threading
import time

host = "127.0.0.1"
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080

# What the parts of a request look like. A NAME is that of a method or of a header field.
NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
HOST = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?"
REQUEST_LINE = rf"{NAME} (/[!-~]*|http://{HOST}([/?][!-~]*)?|\*) HTTP/1\.[01]"
FIELDS = {"host": rf"({HOST})?", "content-length": "[0-9]+", "transfer-encoding": "(?i:chunked)"}


def is_http(request):
    """Whether a request keeps the rules of HTTP (RFC 9112)."""
    head, blank_line, _ = request.partition("\n\n")
    request_line, *fields = head.split("\n")
    if not blank_line or not re.fullmatch(REQUEST_LINE, request_line):
        return False

    names = []
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not re.fullmatch(NAME, name):
            return False
        name = name.lower()
        if name in FIELDS and (name in names or not re.fullmatch(FIELDS[name], value.strip(" \t"))):
            return False
        names.append(name)
    return "host" in names or request_line.endswith("HTTP/1.0")


def time_left(deadline):
    """How much time is left until the deadline. Afterwards it is an error."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is up")
    return left


def answer(client):
    """Receives a request, and answers it."""
    deadline = time.monotonic() + 5

    data = b""
    request = ""
    while "\n\n" not in request:
        client.settimeout(time_left(deadline))
        received = client.recv(1024)
        if not received:
            return
        data += received
        request = data.decode(errors="replace").replace("\r\n", "\n")
        request = request.lstrip()
        if len(data) > 8192:
            break
    print(f"Request received:\n{request}")

    method, path = (re.split("[ ?\n]", request) + [""])[:2]
    if path.startswith("http://"):
        path = "/" + path[7:].partition("/")[2]
    if not is_http(request):
        status, page = "400 Bad Request", "<h1>This is not HTTP.</h1>"
    elif method not in ("GET", "HEAD"):
        status, page = "501 Not Implemented", "<h1>This server knows GET and HEAD.</h1>"
    elif path != "/":
        status, page = "404 Not Found", "<h1>There is no such page.</h1>"
    else:
        status, page = "200 OK", "<h1>Hello, World!</h1>"

    page = page.encode()
    response = f"HTTP/1.1 {status}\r\n"
    response += "Content-Type: text/html; charset=utf-8\r\n"
    response += f"Content-Length: {len(page)}\r\n"
    response += "Connection: close\r\n"
    response += "\r\n"
    response = response.encode()
    if method != "HEAD":
        response += page
    client.settimeout(5)
    client.sendall(response)

    client.shutdown(socket.SHUT_WR)
    while True:
        client.settimeout(time_left(deadline))
        if not client.recv(1024):
            return


def serve(client):
    """Answers one client. An error ends this connection, and no other."""
    try:
        answer(client)
    except OSError as error:
        print(f"A client is gone: {error}")
    finally:
        client.close()


def welcome(server):
    """Accepts a client, and gives it a thread of its own."""
    client, address = server.accept()
    print(f"Connection from {address} has been established!")
    threading.Thread(target=serve, args=[client], daemon=True).start()


# Show each line at once, and a ? for what this terminal can't show.
sys.stdout.reconfigure(line_buffering=True, errors="replace")

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
if sys.platform != "win32":
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(128)
host, port = server.getsockname()
print(f"Server is listening on http://{host}:{port}")

while True:
    try:
        welcome(server)
    except (OSError, RuntimeError) as error:
        print(f"Cannot serve a client: {error}")
        time.sleep(0.1)
