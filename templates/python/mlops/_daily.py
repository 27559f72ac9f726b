"""The prediction log in files: `<home>/<model>/date=YYYY-MM-DD/<writer>.jsonl` (docs/prediction-log.md, section 3).

One `DailyFiles` belongs to one process and one thread of it. Errors are OSErrors; that they must not reach the caller
of `watch` is the business of `_writer.py`.
"""
import calendar
import os
import time

_MAX_BYTES = 64 << 20
_MAX_OPEN = 16
_AFTER_SECONDS = 3600
_WRITE_BYTES = 1 << 20
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class DailyFiles:
    def __init__(self, home, model, create=False):
        self.name = home
        self._folder = os.path.join(home, model)
        self._home = home
        # A home that was named may be made; the store must be there already.
        self._create = create
        self._writer = "py-" + os.urandom(8).hex()
        self._number = 0
        self._open = {}

    def write(self, day, lines):
        """Appends whole lines (text without line end) to the files of a day. Returns how many are in the log."""
        written = 0
        for chunk, count in _chunks(lines):
            try:
                kept = self._append(day, chunk)
            except OSError as error:
                error.written = written
                raise
            if kept != len(chunk):
                error = OSError(28, "the disk is full")
                error.written = written + chunk[:kept].count(b"\n")
                raise error
            written += count
        return written

    def close(self):
        for day in list(self._open):
            self._close(day)

    def abandon(self):
        """After a fork: the descriptors are the child's own, the files are the parent's."""
        self.close()

    def _append(self, day, chunk):
        fd = self._descriptor(day)
        found = self._open[day]
        kept = 0
        try:
            # One write: a kill tears at most its last line, and no other process writes into this file.
            kept = os.write(fd, chunk)
        finally:
            found[1] += kept
            if kept != len(chunk) or found[1] >= _MAX_BYTES:
                self._close(day)
            if found[1] == 0:
                # A full disk still takes names: without this every attempt would leave an empty file.
                _remove(found[3])
        return kept

    def _descriptor(self, day):
        found = self._open.get(day)
        if found is not None:
            # Pruned or swept away: what is written into a file without a name is lost.
            if time.time() < found[2] and os.fstat(found[0]).st_nlink > 0:
                return found[0]
            self._close(day)
        while len(self._open) >= _MAX_OPEN:
            self._close(next(iter(self._open)))
        fd, path = self._new_file(self._folder_of(day))
        self._open[day] = [fd, 0, _deadline(day), path]
        return fd

    def _folder_of(self, day):
        return os.path.join(self._folder, "date=" + day)

    def _new_file(self, folder):
        self._make_folder(folder)
        while True:
            self._number += 1
            path = os.path.join(folder, "%s-%04d.jsonl" % (self._writer, self._number))
            try:
                fd = os.open(path, _APPEND, 0o640)
            except FileExistsError:
                self._writer = "py-" + os.urandom(8).hex()
                continue
            if _is_shared(folder):
                os.chmod(path, 0o660)
            _hand_over(path, folder)
            return fd, path

    def _make_folder(self, folder):
        if os.path.isdir(folder):
            return
        above = os.path.dirname(folder)
        if folder == self._home and not self._create and not os.path.isdir(above):
            raise FileNotFoundError(2, "there is no folder %s" % above)
        if above != folder:
            self._make_folder(above)
        if not _is_shared(above):
            try:
                os.mkdir(folder, 0o750)
                _hand_over(folder, above)
            except FileExistsError:
                pass
            return
        # Writable for the group from its first instant on: a kill between mkdir and chmod would lock others out.
        temporary = os.path.join(above, "." + os.urandom(8).hex())
        os.mkdir(temporary)
        try:
            os.chmod(temporary, 0o2770)
            _hand_over(temporary, above)
            os.rename(temporary, folder)
        except OSError:
            os.rmdir(temporary)
            if not os.path.isdir(folder):
                raise

    def _close(self, day):
        fd = self._open.pop(day)[0]
        try:
            os.close(fd)
        except OSError:
            pass


def _remove(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def _chunks(lines):
    """The bytes to write at once, and how many lines they are."""
    batch = []
    size = 0
    for line in lines:
        data = line.encode("utf-8", "replace") + b"\n"
        if batch and size + len(data) > _WRITE_BYTES:
            yield b"".join(batch), len(batch)
            batch, size = [], 0
        batch.append(data)
        size += len(data)
    if batch:
        yield b"".join(batch), len(batch)


def _deadline(day):
    """When appending to a file of this day ends: an hour after the day, or after now for a day long past."""
    try:
        # Not strptime: it imports a module, and a fork while a thread imports leaves the child unable to.
        end = calendar.timegm((int(day[:4]), int(day[5:7]), int(day[8:10]), 0, 0, 0)) + 86400
    except (ValueError, OverflowError):
        end = 0
    return max(end, time.time()) + _AFTER_SECONDS


def _is_shared(folder):
    return os.stat(folder).st_mode & 0o2020 == 0o2020


def _hand_over(path, above):
    """What root makes (a service in a container) belongs to whoever owns the folder: he must be able to read it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        facts = os.stat(above)
        if facts.st_uid or facts.st_gid:
            os.chown(path, facts.st_uid, facts.st_gid)
            if facts.st_mode & 0o2020 == 0o2020 and os.path.isdir(path):
                os.chmod(path, 0o2770)  # chown took the set-group-id bit away
