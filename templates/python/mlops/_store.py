"""Writing into a store: the second implementation of docs/store-format.md. Nothing here knows what a run means.

Errors are OSErrors; deciding that they must not stop a training script belongs to `_run.py`.
"""
import errno
import hashlib
import os
import stat

from ._canonical import seal

FORMAT = 1
_FOLDERS = ("log", "models", "objects/sha256", "runs", "tmp", "quarantine", "trash")
_NO_LINKS = {
    getattr(errno, name)
    for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "ENOSYS", "EMLINK")
    if hasattr(errno, name)
}
_CHUNK = 1 << 20


class Store:
    def __init__(self, root):
        self.root = root
        mode = os.stat(root).st_mode
        # Made by `mlops init --shared`: what is made in it is writable for the group.
        self._shared = mode & 0o2020 == 0o2020
        self._settled = {root}
        # Folders that were seen to be folders and no symbolic links.
        self._real = {root}

    def path(self, key):
        return os.path.join(self.root, *key.split("/"))

    def put(self, key, data):
        """Whole, durable, and only where nothing was. False when something was there."""
        temporary = self._temporary()
        try:
            with _create(temporary) as file:
                file.write(data)
                _sync_file(file)
        except BaseException:
            _quietly(os.unlink, temporary)
            raise
        return self._publish(temporary, self.path(key), addressed=False)

    def put_record(self, key, record):
        """A write-once JSON file. Returns its bytes, or None when something was there."""
        data = seal(record)
        return data if self.put(key, data) else None

    def put_object(self, chunks):
        """Stores the bytes of an iterable of chunks under their digest. Returns {"sha256", "size"}."""
        temporary = self._temporary()
        digest = hashlib.sha256()
        size = 0
        try:
            with _create(temporary) as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                _sync_file(file)
        except BaseException:
            _quietly(os.unlink, temporary)
            raise
        name = digest.hexdigest()
        target = self.path("objects/sha256/%s/%s" % (name[:2], name[2:]))
        if os.path.lexists(target):
            self._settle_object(temporary, target, name)
        elif not self._publish(temporary, target, addressed=True, keep=True):
            self._settle_object(temporary, target, name)
        _quietly(os.unlink, temporary)
        return {"sha256": name, "size": size}

    def put_file(self, path):
        """A copy of a regular file as an object."""
        with open(path, "rb") as file:
            return self.put_object(iter(lambda: file.read(_CHUNK), b""))

    def appender(self, key):
        """A file descriptor for appending; the file must not exist."""
        path = self.path(key)
        self.make_folder(os.path.dirname(path))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        return os.open(path, flags, 0o664 if self._shared else 0o644)

    def touch(self, key):
        path = self.path(key)
        self.make_folder(os.path.dirname(path))
        if os.path.islink(path):
            raise _link_inside(path)
        try:
            os.utime(path)
        except FileNotFoundError:
            with open(path, "ab"):
                pass

    def pin(self, key):
        """Makes a file durable and says its length and digest."""
        digest = hashlib.sha256()
        size = 0
        with open(self.path(key), "rb") as file:
            os.fsync(file.fileno())
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
                size += len(chunk)
        self._settle(os.path.dirname(self.path(key)))
        return {"sha256": digest.hexdigest(), "size": size}

    def make_folder(self, folder):
        """Makes a folder and what is missing above it. Raises OSError where a symbolic link stands in the way."""
        if folder in self._real or len(folder) <= len(self.root):
            return
        self.make_folder(os.path.dirname(folder))
        if not self._is_folder(folder):
            self._make_one(folder)
            self._is_folder(folder)

    def refuse_links(self, key):
        """Raises OSError when a folder on the way to `key`, or at it, is a symbolic link."""
        folder = self.root
        for name in key.split("/"):
            folder = os.path.join(folder, name)
            if not self._is_folder(folder):
                return

    def _is_folder(self, folder):
        """Links are not followed for writing: one could send what is written to any folder."""
        if folder in self._real:
            return True
        try:
            mode = os.lstat(folder).st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISLNK(mode):
            raise _link_inside(folder)
        if stat.S_ISDIR(mode):
            self._real.add(folder)
        return True

    def _make_one(self, folder):
        if not self._shared:
            try:
                os.mkdir(folder)
            except FileExistsError:
                pass
            return
        # Writable for the group from its first instant on: a kill between mkdir and chmod would lock others out.
        temporary = self._temporary()
        os.mkdir(temporary)
        try:
            os.chmod(temporary, 0o2775)
            os.rename(temporary, folder)
        except OSError as error:
            _quietly(os.rmdir, temporary)
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise

    def _temporary(self):
        return os.path.join(self.root, "tmp", os.urandom(12).hex())

    def _publish(self, temporary, target, addressed, keep=False):
        published = True
        try:
            os.chmod(temporary, 0o444)
            self.make_folder(os.path.dirname(target))
            try:
                os.link(temporary, target)
            except FileExistsError:
                published = False
            except (OSError, AttributeError, NotImplementedError) as error:
                if isinstance(error, OSError) and error.errno not in _NO_LINKS:
                    raise
                if addressed:
                    os.rename(temporary, target)
                else:
                    published = self._claim(temporary, target)
        finally:
            if not (keep and not published):
                _quietly(os.unlink, temporary)
        if published:
            self._settle(os.path.dirname(target))
        return published

    def _claim(self, temporary, target):
        """Put-if-absent on a disk without hard links: only one folder can be renamed to `<target>.claim`."""
        if os.path.lexists(target):
            return False
        mine, claim = self._temporary(), target + ".claim"
        os.mkdir(mine)
        os.rename(temporary, os.path.join(mine, "bytes"))
        _sync_folder(mine)
        won = True
        try:
            os.rename(mine, claim)
        except OSError as error:
            _quietly(os.unlink, os.path.join(mine, "bytes"))
            _quietly(os.rmdir, mine)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            won = False
        self._settle(os.path.dirname(target))
        if not os.path.lexists(target):
            copy = self._temporary()
            with open(os.path.join(claim, "bytes"), "rb") as source, _create(copy) as file:
                file.write(source.read())
                _sync_file(file)
            os.chmod(copy, 0o444)
            os.rename(copy, target)
        return won

    def _settle_object(self, temporary, target, name):
        """Somebody has published the same object; damaged bytes are replaced, whole ones made durable and kept."""
        digest = hashlib.sha256()
        whole = False
        try:
            with open(target, "rb") as file:
                for chunk in iter(lambda: file.read(_CHUNK), b""):
                    digest.update(chunk)
                whole = digest.hexdigest() == name
                if whole:
                    # `mlops store gc` leaves alone what was needed lately.
                    os.utime(target)
                    os.fsync(file.fileno())
        except (FileNotFoundError, PermissionError):
            # Put aside this instant, or the file of another member of the team: ours takes its place.
            whole = False
        if whole and os.path.lexists(target):
            self._settle(os.path.dirname(target))
            return
        os.chmod(temporary, 0o444)
        self.make_folder(os.path.dirname(target))
        kept = os.path.join(self.root, "quarantine", "%s-%s" % (name, os.urandom(4).hex()))
        self.make_folder(os.path.dirname(kept))
        _quietly(os.link, target, kept)
        os.rename(temporary, target)
        self._settle(os.path.dirname(target))

    def _settle(self, folder):
        _sync_folder(folder)
        at = folder
        while at not in self._settled and len(at) > len(self.root):
            _sync_folder(os.path.dirname(at))
            self._settled.add(at)
            at = os.path.dirname(at)


def open_store(root):
    """Returns (store, None), or (None, why not) for what is no store that this client can write into."""
    try:
        info = os.lstat(root)
    except OSError:
        return None, "there is no store at %s" % root
    if not stat.S_ISDIR(info.st_mode):
        return None, "%s is no folder" % root
    try:
        with open(os.path.join(root, "registry.json"), "rb") as file:
            text = file.read(65536).decode("utf-8")
    except FileNotFoundError:
        return None, "there is no store at %s" % root
    except (OSError, UnicodeDecodeError) as error:
        return None, "%s cannot be read (%s)" % (os.path.join(root, "registry.json"), error)
    import json

    try:
        found = json.loads(text)["format"]
    except (ValueError, KeyError, TypeError):
        return None, "%s is damaged; look it over: mlops store verify" % os.path.join(root, "registry.json")
    if not isinstance(found, int) or found > FORMAT:
        return None, "the store %s has format %s, and this client writes format %d" % (root, found, FORMAT)
    if hasattr(os, "getuid") and info.st_uid != os.getuid() and info.st_mode & 0o2020 != 0o2020:
        return None, "%s belongs to another user and is not shared (mlops init --shared)" % root
    store = Store(root)
    try:
        for folder in _FOLDERS:
            store.refuse_links(folder)
    except OSError as error:
        return None, error.strerror or str(error)
    return store, None


def create_store(root):
    """A store for a project that has none on this machine; `mlops init` completes it later. Raises OSError."""
    os.makedirs(root, exist_ok=True)
    for folder in _FOLDERS:
        os.makedirs(os.path.join(root, *folder.split("/")), exist_ok=True)
    store = Store(root)
    room = os.urandom((1 << 20) - 32)
    store.put("reserve", hashlib.sha256(room).digest() + room)
    store.put(".gitattributes", b"* -text\n")
    store.put_record("registry.json", {"format": FORMAT, "id": os.urandom(16).hex()})
    return store


def _link_inside(path):
    return OSError(errno.ELOOP, "%s is a symbolic link; inside a store links are not followed for writing" % path)


def _create(path):
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644), "wb")


def _sync_file(file):
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder):
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, getattr(errno, "ENOTSUP", errno.EINVAL)):
            raise
    finally:
        os.close(fd)


def _quietly(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass
