// Shows openapi.json. Text is only ever set as text, never as markup, and the key stays in its input field.

const SHOWN_CHARACTERS = 20_000;

/** An element with its properties and children; texts become text nodes. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A schema in few words. */
function kindOf(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(kindOf).join(' | ');
  if (schema.type === 'array') return `array of ${kindOf(schema.items ?? {})}`;
  return schema.type ?? 'any';
}

/** What a schema describes as an outline: names, kinds and descriptions. */
function outline(schema, indent = '') {
  const inner = schema.type === 'array' ? (schema.items ?? {}) : schema;
  const byName = Object.entries(inner.properties ?? {});
  const byPattern = Object.values(inner.patternProperties ?? {}).map((value) => ['<name>', value]);
  const more = typeof inner.additionalProperties === 'object' ? [['<name>', inner.additionalProperties]] : [];
  return [...byName, ...byPattern, ...more]
    .map(([name, member]) => {
      const mark = byName.length > 0 && !(inner.required ?? []).includes(name) ? '?' : '';
      const note = member.description ? ` — ${member.description}` : '';
      return `${indent}${name}${mark}: ${kindOf(member)}${note}\n${outline(member, `${indent}  `)}`;
    })
    .join('');
}

function parameterTable(parameters) {
  const rows = parameters.map(({ name, in: place, required, schema, description }) => {
    const fallback = schema.default === undefined ? '' : `, default ${schema.default}`;
    return element(
      'tr',
      {},
      element('td', {}, element('code', {}, name)),
      element('td', {}, `${place}${required ? ', required' : ''}`),
      element('td', {}, `${kindOf(schema)}${fallback}`),
      element('td', {}, description ?? schema.description ?? ''),
    );
  });
  const head = ['Parameter', 'In', 'Value', ''].map((text) => element('th', { scope: 'col' }, text));
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
}

function responses(operation) {
  return Object.entries(operation.responses).map(([status, { description, content }]) => {
    const schema = content?.['application/json']?.schema;
    const text = schema && status === '200' ? `${kindOf(schema)}\n${outline(schema)}` : '';
    return element(
      'div',
      {},
      element('p', {}, element('strong', {}, status), ` ${schema?.description ?? description}`),
      ...(text ? [element('pre', {}, text)] : []),
    );
  });
}

/** The start of a body as text, so that 100 MB are not put into the page. */
async function startOf(response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (reader && text.length < SHOWN_CHARACTERS) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader?.cancel();
  return `${text.slice(0, SHOWN_CHARACTERS)}${reader ? '\n… (only the start is shown)' : ''}`;
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // Cut off, or with NaN in it.
  }
}

/** Of the server, under whatever path a proxy shows it. */
const ROOT = new URL('..', import.meta.url);

async function ask(path, parameters, inputs, isOpen, output) {
  let url = `${ROOT.pathname}${path.slice(1)}`;
  const query = new URLSearchParams();
  parameters.forEach(({ name, in: place }, index) => {
    const value = inputs[index].value.trim();
    if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (value !== '') query.set(name, value);
  });
  if (query.size > 0) url += `?${query}`;
  const key = document.getElementById('key').value;
  const headers = isOpen || key === '' ? {} : { Authorization: `Bearer ${key}` };
  output.textContent = `GET ${url} …`;
  try {
    const response = await fetch(url, { headers, cache: 'no-store', credentials: 'omit' });
    const kept = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    const body = readable(await startOf(response));
    output.textContent = `GET ${url}\n${response.status} ${response.statusText}\n${kept}\n\n${body}`;
  } catch (error) {
    output.textContent = `GET ${url}\nNo answer: ${error.message}`;
  }
}

function tryIt(path, operation, parameters) {
  const inputs = parameters.map(({ name, required }) =>
    element('input', { name, required: required === true, autocomplete: 'off', spellcheck: false }),
  );
  const output = element('pre', { hidden: true });
  const labels = parameters.map(({ name }, index) => element('label', {}, name, inputs[index]));
  const form = element('form', {}, ...labels, element('button', { type: 'submit' }, 'Try it'), output);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    output.hidden = false;
    void ask(path, parameters, inputs, operation.security?.length === 0, output);
  });
  return form;
}

function route(path, operation) {
  const parameters = operation.parameters ?? [];
  const needs = operation.security?.length === 0 ? ' (no key needed)' : '';
  return element(
    'details',
    { id: path },
    element(
      'summary',
      {},
      element('h3', {}, element('code', {}, `GET ${path}`)),
      ` ${operation.summary}${needs}`,
    ),
    ...(operation.description ? [element('p', {}, operation.description)] : []),
    ...(parameters.length > 0 ? [parameterTable(parameters)] : []),
    ...responses(operation),
    tryIt(path, operation, parameters),
  );
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === 'DETAILS') target.open = true;
}

function show(description) {
  document.getElementById('title').textContent = `${description.info.title} ${description.info.version}`;
  document.getElementById('description').textContent = description.info.description;
  const groups = new Map();
  for (const [path, { get }] of Object.entries(description.paths)) {
    const tag = get.tags?.[0] ?? 'Other';
    groups.set(tag, [...(groups.get(tag) ?? []), [path, get]]);
  }
  const sections = [...groups].map(([tag, routes]) =>
    element('section', {}, element('h2', {}, tag), ...routes.map(([path, get]) => route(path, get))),
  );
  document.getElementById('routes').replaceChildren(...sections);
  const links = Object.keys(description.paths).map((path) => element('a', { href: `#${path}` }, path));
  document.getElementById('contents').replaceChildren(...links);
  openTarget();
}

addEventListener('hashchange', openTarget);
document.getElementById('access').addEventListener('submit', (event) => event.preventDefault());
try {
  const response = await fetch(new URL('openapi.json', ROOT));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  show(await response.json());
} catch (error) {
  document.getElementById('routes').textContent = `openapi.json could not be read: ${error.message}`;
}
