import t from 'tap';
import { joinMembers, pythonJsonWriter } from '../dist/index.js';

void t.test('numbers are written as the shape declares them', (t) => {
  const write = pythonJsonWriter({ fields: { price: 'float', time: 'plain', fee: 'plain' } });
  t.equal(write({ price: 1, time: 1, fee: 0.00007 }), '{"price": 1.0, "time": 1, "fee": 7e-05}');
  t.equal(write({ price: -0, time: 0, fee: 5 }), '{"price": -0.0, "time": 0, "fee": 5}');
  t.end();
});

void t.test('fields come in the order of the shape; absent ones are left out and null stays', (t) => {
  const write = pythonJsonWriter({ fields: { a: 'float', b: 'plain', c: { items: 'float' } } });
  t.equal(write({ c: [1, 0.5], a: null }), '{"a": null, "c": [1.0, 0.5]}');
  t.equal(write({}), '{}');
  t.end();
});

void t.test('text is escaped to ASCII', (t) => {
  const write = pythonJsonWriter({ values: 'plain' });
  t.equal(write({ 'é"': 'Ω\u007f\n\u{1f600}' }), '{"\\u00e9\\"": "\\u03a9\\u007f\\n\\ud83d\\ude00"}');
  t.equal(joinMembers([['é', '1']]), '{"\\u00e9": 1}');
  t.end();
});

void t.test('a value that is not of its shape is refused', (t) => {
  const write = pythonJsonWriter({ fields: { a: 'float' } });
  t.throws(() => write({ a: 'x' }), { message: 'expected a float, got string' });
  t.throws(() => write({ b: 1 }), { message: 'field b is in no shape' });
  t.throws(() => write([1]), { message: 'expected an object, got object' });
  t.end();
});
