/** Name rules of the API server, as linear checks: these run on what strangers send. */

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const KEY = /^[-._A-Za-z0-9]{1,253}$/;

/** RFC 1123 subdomain: the name of a Secret, a ServiceAccount, most objects. */
export function isDnsSubdomain(name: string): boolean {
  return name.length > 0 && name.length <= 253 && name.split('.').every((part) => LABEL.test(part));
}

/** RFC 1123 label: the name of a namespace or a container. */
export function isDnsLabel(name: string): boolean {
  return name.length <= 63 && LABEL.test(name);
}

/** A name that a shell can use; the API server allows more, floe's jobs do not. */
export function isVariableName(name: string): boolean {
  return VARIABLE.test(name);
}

/** A key of a Secret's data (Kubernetes `validation.IsConfigMapKey`). */
export function isSecretKey(key: string): boolean {
  return KEY.test(key) && key !== '.' && !key.startsWith('..');
}
