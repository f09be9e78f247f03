/**
 * From a filled form to a request: sent, or as a curl command.
 * @module
 */

/** The address of the service: that of the page, without `docs`. */
const base = new URL('.', location.href).href.replace(/\/$/, '');

/** Longest wait for an answer, milliseconds. */
const answerMsMax = 30_000;

/**
 * Puts a request together.
 * @param operation of the description
 * @param values from the form
 * @param {string} bearer token or key, empty when there is none
 */
export const requestOf = ({ method, path }, { path: parts, query, body, mediaType }, bearer) => {
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name) => encodeURIComponent(parts[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return {
    method,
    url: `${base}${filled}${search === '' ? '' : `?${search}`}`,
    headers: {
      ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': mediaType }),
    },
    body,
  };
};

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request as a command of curl. */
export const curlOf = ({ method, url, headers, body }) =>
  [
    `curl -i${method === 'GET' ? '' : ` -X ${method}`} ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(body)}`]),
  ].join(' \\\n  ');

/** The command as it is shown: tokens shortened, passwords hidden. The copied command is whole. */
export const shownCurl = (request) =>
  curlOf({
    ...request,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        name === 'authorization' && value.length > 24 ? `${value.slice(0, 16)}…` : value,
      ]),
    ),
    body: request.body
      ?.replace(/("\w*password":")(?:[^"\\]|\\.)*"/g, '$1••••••••"')
      .replace(/("\w*token":"[^"]{8})[^"]*"/g, '$1…"')
      .replace(/((?:^|&)\w*token=[^&]{8})[^&]*/g, '$1…')
      .replace(/((?:^|&)client_secret=)[^&]*/, '$1••••••••'),
  });

/** Sends the request. Without an answer the status is 0, and the text says why. */
export const send = async ({ method, url, headers, body }) => {
  const began = performance.now();
  const took = () => Math.round(performance.now() - began);
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await response.text();
    return {
      status: response.status,
      words: response.statusText,
      tookMs: took(),
      headers: [...response.headers],
      text,
    };
  } catch (error) {
    const why =
      error.name === 'TimeoutError' ? `nothing came within ${answerMsMax / 1000} s` : 'the service is not there';
    return { status: 0, words: 'No answer', tookMs: took(), headers: [], text: `Cannot reach ${url}: ${why}` };
  }
};
