"""Models that were made, each known by all that it was made from. Nothing but the standard library is needed here."""
import hashlib
import json
import pathlib
import shutil
import tempfile


def digest_of_files(*paths):
    """Of files and of what is below folders: names and bytes."""
    whole = hashlib.sha256()
    for path in paths:
        files = sorted(each for each in path.rglob('*') if each.is_file()) if path.is_dir() else [path]
        for file in files:
            whole.update(json.dumps(str(file.relative_to(path.parent))).encode())
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def bytes_of(model):
    """Of a model's files: weights may lie beside the graph, as model.onnx.data, model.onnx_data or model.bin."""
    return sum(path.stat().st_size for path in model.parent.glob(f'{model.stem}.*'))


class Store:
    """A folder of models; of another recipe, checkpoint or version there is another entry."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def obtain(self, made_from, make):
        """The folder of a model and its record: what is kept, or what `make(folder)` leaves, which returns the record.

        made_from - all that determines the model, as JSON takes it
        Of what is kept, what no longer has the bytes that it had is made anew.
        """
        key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
        entry = self.folder / key[:32]
        record = entry / 'entry.json'
        if record.exists():
            kept = json.loads(record.read_text())
            if kept['made_from'] == made_from and kept['digest'] == digest_of_files(entry / 'made'):
                return entry / 'made', {**kept['record'], 'reused': True}
        with tempfile.TemporaryDirectory(dir=self.folder, prefix='making-') as work:
            new = pathlib.Path(work) / 'new'
            (new / 'made').mkdir(parents=True)
            made = make(new / 'made')
            about = {'made_from': made_from, 'digest': digest_of_files(new / 'made'), 'record': made}
            (new / 'entry.json').write_text(json.dumps(about, indent=1))
            shutil.rmtree(entry, ignore_errors=True)
            new.rename(entry)
        return entry / 'made', {**made, 'reused': False}
