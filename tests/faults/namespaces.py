"""Network namespaces of Linux, each with one network device whose other end is a file descriptor.

Needs root, and nothing but the kernel: no name is given to a namespace, so nothing is left behind
when this process ends, whichever way, and no address or route is ever set outside of them.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
# linux/if_tun.h and linux/sockios.h
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
SIOCSIFFLAGS = 0x8914
SIOCSIFADDR = 0x8916
SIOCSIFNETMASK = 0x891C
IFF_UP_RUNNING = 0x41
DEVICE = b"eth0"
NETMASK = "255.255.255.0"

# States of a TCP connection in /proc/net/tcp that its program has not closed yet: established,
# being dialled, being accepted, closed by the other end alone.
OPEN_STATES = {"01", "02", "03", "08"}

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _present():
    """The namespace of this thread; threads are in namespaces, processes only by way of them."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


@contextlib.contextmanager
def _away(call, *arguments):
    """In this context the thread is in the namespace to which call(*arguments) took it."""
    home = _present()
    try:
        _checked(call(*arguments), "entering a network namespace")
        try:
            yield
        finally:
            _checked(_libc.setns(home, CLONE_NEWNET), "going back to a network namespace")
    finally:
        os.close(home)


class Namespace:
    """A new namespace with nothing in it but a loopback device that is up.

    It lasts until it is closed and the last process and connection in it have ended. May be entered
    by several threads at once.
    """

    def __init__(self):
        with _away(_libc.unshare, CLONE_NEWNET):
            _set_up(b"lo")
            self._descriptor = _present()

    def close(self):
        os.close(self._descriptor)

    def entered(self):
        """In this context the thread's new sockets and processes belong to the namespace."""
        return _away(_libc.setns, self._descriptor, CLONE_NEWNET)

    def make_device(self, address):
        """A device with `address` in a network of NETMASK; the descriptor of its other end.

        Each read gives one IP packet that the namespace sends, each write is one that it receives.
        There is no layer below: nobody has to be resolved, so whoever dials a host that is gone
        hears nothing at all, as through a router. The device goes when its descriptor is closed.
        """
        with self.entered():
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            try:
                fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE, IFF_TUN | IFF_NO_PI))
                _set_address(SIOCSIFADDR, address)
                _set_address(SIOCSIFNETMASK, NETMASK)
                _set_up(DEVICE)
            except BaseException:
                os.close(device)
                raise
        return device

    def open_connections(self):
        """((address, port) here, (address, port) there) of each that its program has not closed."""
        with self.entered(), open("/proc/thread-self/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        return [(_endpoint(row[1]), _endpoint(row[2])) for row in rows if row[3] in OPEN_STATES]


def _set_address(request, address):
    value = struct.pack("16sHH4s16x", DEVICE, socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, request, value)


def _set_up(device):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sH22x", device, IFF_UP_RUNNING))


def _endpoint(text):
    address, port = text.split(":")
    # The kernel prints the address as a number of this machine's byte order.
    return socket.inet_ntoa(struct.pack("=I", int(address, 16))), int(port, 16)


def missing():
    """A sentence about what keeps this machine from having namespaces with devices, or None."""
    try:
        namespace = Namespace()
    except OSError as error:
        return f"network namespaces need root (CAP_SYS_ADMIN, CAP_NET_ADMIN): {error.strerror}"
    try:
        os.close(namespace.make_device("198.18.0.1"))
    except OSError as error:
        return f"network devices need root and /dev/net/tun (modprobe tun): {error.strerror}"
    finally:
        namespace.close()
    return None
