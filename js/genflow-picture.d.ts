export type Picture = {
    blob: Blob;
    type: string;
    bytes: number;
    /**
     * pixels; null: not known outside of a page
     */
    width: number | null;
    height: number | null;
    /**
     * it is not the given file any more
     */
    resized: boolean;
};
/**
 * @typedef {object} Picture
 * @property {Blob} blob
 * @property {string} type
 * @property {number} bytes
 * @property {number | null} width pixels; null: not known outside of a page
 * @property {number | null} height
 * @property {boolean} resized it is not the given file any more
 */
/**
 * Checks it and makes it fit.
 * @param {Blob} blob
 * @param {{ maxBytes: number, maxPixels: number }} limits
 * @returns {Promise<Picture>}
 */
export declare function fitPicture(blob: Blob, { maxBytes, maxPixels }: {
    maxBytes: number;
    maxPixels: number;
}): Promise<Picture>;
