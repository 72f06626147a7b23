import t from 'tap';
import { counted, isTerminalCloseCode, printable } from '../dist/index.js';

void t.test('close codes after which connecting again is of no use', (t) => {
  for (const code of [4500, 4501, 4999]) t.ok(isTerminalCloseCode(code), String(code));
  for (const code of [1000, 1009, 4000, 4499, 5000]) t.notOk(isTerminalCloseCode(code), String(code));
  t.end();
});

void t.test('counts are written with what is counted', (t) => {
  t.same([counted(0, 'key'), counted(1, 'key'), counted(2, 'key')], ['0 keys', '1 key', '2 keys']);
  t.end();
});

void t.test('what steers a terminal does not get to it', (t) => {
  const steering = [
    '\u0000',
    '\n',
    '\r',
    '\u001b',
    '\u007f',
    '\u009b',
    '\u200e',
    '\u202e',
    '\ufeff',
    '\u2028',
    '\u2029',
  ];
  t.equal(printable(`a${steering.join('b')}c`), `a${steering.map(() => '?').join('b')}c`);
  for (const text of ['', 'plain text', 'ключ 鍵 🔑', 'é']) t.equal(printable(text), text);
  t.end();
});
