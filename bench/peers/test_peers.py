"""python3 -m unittest discover bench/peers: what holds of the parts that need no tools."""
import json
import pathlib
import tempfile
import unittest

import isa
from store import Store, bytes_of


class Sizes(unittest.TestCase):
    def test_counts_weights_that_lie_beside_the_graph(self):
        with tempfile.TemporaryDirectory() as work:
            for name in ('model.onnx', 'model.onnx.data', 'model.onnx_data', 'model.xml', 'model.bin', 'preprocess.onnx', 'report.json'):
                pathlib.Path(work, name).write_bytes(b'.')
            self.assertEqual(bytes_of(pathlib.Path(work, 'model.onnx')), 5)


class Limiting(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.installed, self.copy = pathlib.Path(work.name, 'installed'), pathlib.Path(work.name, 'copy')
        self.library = self.installed / 'onnxruntime' / 'capi' / 'onnxruntime_pybind11_state.cpython-311.so'
        self.library.parent.mkdir(parents=True)
        (self.installed / 'onnxruntime' / '__init__.py').write_text('version = 1')

    def test_answers_every_question_and_nothing_else(self):
        self.library.write_bytes(b'before' + 5 * (isa.ASKING + b'between'))
        isa.limit('onnxruntime', self.installed, self.copy)
        written = self.copy / self.library.relative_to(self.installed)
        self.assertEqual(written.read_bytes(), b'before' + 5 * (isa.ANSWERED + b'between'))
        self.assertEqual(self.library.read_bytes().count(isa.ASKING), 5)
        self.assertTrue((self.copy / 'onnxruntime' / '__init__.py').is_symlink())

    def test_refuses_a_library_that_asks_elsewhere(self):
        self.library.write_bytes(4 * isa.ASKING)
        with self.assertRaisesRegex(isa.NotLimited, r'pybind11_state.*in 4 places, and 5 are expected'):
            isa.limit('onnxruntime', self.installed, self.copy)
        self.assertFalse(self.copy.exists())
        self.library.unlink()
        with self.assertRaisesRegex(isa.NotLimited, r'has 0 files'):
            isa.limit('onnxruntime', self.installed, self.copy)

    def test_refuses_processors_that_would_take_other_kernels(self):
        isa.check_processor(['avx2', 'avx512_vnni'], 'Linux', 'x86_64')
        for flags, system, machine, named in (
            (['avx2', 'avx_vnni'], 'Linux', 'x86_64', 'avx_vnni'),
            (['avx'], 'Linux', 'x86_64', 'no AVX2'),
            (['avx2'], 'Darwin', 'arm64', 'Darwin'),
        ):
            with self.assertRaisesRegex(isa.NotLimited, named):
                isa.check_processor(flags, system, machine)

    def test_knows_where_libraries_are_loaded_from(self):
        line = '7f0000000000-7f0000001000 r-xp 00000000 fe:00 1    {}/onnxruntime/capi/onnxruntime_pybind11_state.x.so\n'
        isa.check_mapped('onnxruntime', pathlib.Path('/limited'), line.format('/limited') * 2)
        for maps in (line.format('/installed'), line.format('/limited') + line.format('/installed'), ''):
            with self.assertRaises(isa.NotLimited):
                isa.check_mapped('onnxruntime', pathlib.Path('/limited'), maps)

    def test_refuses_kernels_of_newer_processors(self):
        isa.check_kernels(['jit_avx2_f32', 'gemm_mlas_f32', 'unknown_i8'])
        with self.assertRaisesRegex(isa.NotLimited, 'brgemm_avx512_I8'):
            isa.check_kernels(['jit_avx2_f32', 'brgemm_avx512_I8'])


class Keeping(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.folder = pathlib.Path(work.name)
        self.made = 0

    def make(self, folder):
        self.made += 1
        (folder / 'model.onnx').write_text(str(self.made))
        return {'file': 'model.onnx'}

    def obtain(self, **made_from):
        folder, record = Store(self.folder).obtain(made_from, self.make)
        return (folder / record['file']).read_text(), record['reused']

    def test_makes_once_what_is_made_from_the_same(self):
        self.assertEqual(self.obtain(recipe='a', version=1), ('1', False))
        self.assertEqual(self.obtain(version=1, recipe='a'), ('1', True))
        self.assertEqual(self.obtain(recipe='a', version=2), ('2', False))
        self.assertEqual(self.obtain(recipe='a', version=1), ('1', True))

    def test_makes_anew_what_was_damaged(self):
        self.obtain(recipe='a')
        next(self.folder.glob('*/made/model.onnx')).write_text('other')
        self.assertEqual(self.obtain(recipe='a'), ('2', False))
        self.assertEqual(self.obtain(recipe='a'), ('2', True))

    def test_keeps_nothing_of_what_failed(self):
        def fail(folder):
            (folder / 'half').write_text('')
            raise RuntimeError('no')

        with self.assertRaises(RuntimeError):
            Store(self.folder).obtain({'recipe': 'a'}, fail)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertEqual(self.obtain(recipe='a'), ('1', False))


if __name__ == '__main__':
    unittest.main()
