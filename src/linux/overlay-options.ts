/** Options of mount(8) for overlay file systems; overlayfs.rst of the kernel. */

/** `upper` over `lower`, neither of which is written to. */
export function readOnlyOverlayOptions(upper: string, lower: string): string {
  return `ro,lowerdir=${escapePath(upper)}:${escapePath(lower)}`;
}

/**
 * A copy-on-write view of `lower`, whose changes go to `layer/upper`. `userxattr`: its marks are attributes that an
 * ordinary user may set, and those of a root's overlay are the same, so that there is one way to read a layer; and with it
 * the kernel follows no redirection that a layer asks for.
 */
export function copyOnWriteOptions(lower: string, layer: string): string {
  const path = escapePath(layer);
  return `userxattr,lowerdir=${escapePath(lower)},upperdir=${path}/upper,workdir=${path}/work`;
}

/** A comma ends the option and a colon the layer. */
const escapePath = (path: string): string => path.replace(/[\\:,]/g, "\\$&");
