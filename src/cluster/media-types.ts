/** What a read may ask for instead of the whole object: metadata alone, so that values never leave the API server. */

export const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** What server-side apply is sent as. */
export const APPLY = 'application/apply-patch+yaml';
