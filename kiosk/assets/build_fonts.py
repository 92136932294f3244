"""Make the kiosk's fonts from their sources, at development time only (needs fontTools).

    python build_fonts.py ATKINSON_PACKAGE LUCIDE_PACKAGE NOTO_FOLDER OUT
    python build_fonts.py --fallback NOTO_FOLDER OUT

ATKINSON_PACKAGE and LUCIDE_PACKAGE are the unpacked packages `@expo-google-fonts/atkinson-hyperlegible-next`
and `lucide-static`; NOTO_FOLDER holds NotoSans-Regular.ttf and NotoSans-Bold.ttf (Debian: fonts-noto-core).
Text weights are copied as they are. "Plaza Figures" is Atkinson with its tabular figures as the default
ones, because SDL_ttf cannot switch font features. "Plaza Icons" holds only the Lucide icons named below;
`icons.json` maps a name to its code point. "NotoSans-*-Plaza" holds the letters of Mexico's languages;
`coverage.json` says which characters other than ASCII all text fonts draw.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-not-found]  # a developer tool, not a dependency
from fontTools.ttLib import TTFont  # type: ignore[import-not-found]  # same

WEIGHTS = {"400Regular": "Regular", "600SemiBold": "SemiBold", "700Bold": "Bold"}
FIGURES = {"400Regular": "Regular", "700Bold": "Bold"}

ICONS = """
accessibility ambulance archive arrow-big-up arrow-down arrow-left arrow-right arrow-up baby
backpack badge-check badge-percent banknote bell bike blocks book-open brick-wall briefcase
briefcase-business brush-cleaning bug building building-2 bus cake calendar calendar-clock
calendar-days car check check-check chevron-down chevron-left chevron-right chevron-up church
circle circle-alert circle-check circle-dollar-sign circle-dot circle-dot-dashed circle-help
circle-question-mark circle-x clipboard clipboard-list clock cloud cloud-off cloud-rain clover
coffee coins cone construction cookie copy credit-card cross delete dog door-open droplet
droplet-off droplets eraser eye factory file file-badge file-check file-heart file-pen file-plus
file-question-mark file-search file-stack file-text files fingerprint-pattern fish flag flame
flower-2 folder folder-search footprints fuel gavel gem gift glass-water globe graduation-cap
grid-2x2 hammer hand hand-coins hand-heart handshake hard-hat headphones heart heart-crack
heart-handshake heart-pulse history hospital house id-card image inbox info key keyboard lamp
land-plot landmark languages layers layout-grid leaf library lightbulb lightbulb-off link list
list-checks loader loader-circle lock log-out mail map map-pin map-pinned megaphone message-circle
message-circle-warning message-square message-square-warning mic microscope minus monitor moon
mountain move music navigation newspaper notebook-pen octagon-alert octagon-x package party-popper
paw-print pen pencil percent person-standing phone phone-call piggy-bank pill plug plus power
printer printer-check qr-code receipt receipt-text recycle refresh-ccw refresh-cw road rose
rotate-ccw route ruler save scale school scroll-text search send shield shield-alert shield-check
shopping-bag shopping-cart shovel signature siren skull smartphone smartphone-nfc smile sparkles
sprout square square-check stamp star stethoscope store sun swords syringe tag target tent
thumbs-up ticket timer tractor traffic-cone trash trash-2 tree-deciduous tree-palm tree-pine trees
triangle-alert trophy truck undo-2 university user user-check user-round users users-round
utensils utility-pole volume-2 volume-x vote wallet warehouse waves wheat wifi wifi-off wrench x
zap
""".split()  # noqa: SIM905  # a wrapped list of words is easier to edit


def tabular(source: Path, out: Path, weight: str) -> None:
    """Atkinson with each digit replaced by its tabular form, under a name of its own."""
    font = TTFont(source)
    features = font["GSUB"].table.FeatureList.FeatureRecord
    lookups = font["GSUB"].table.LookupList.Lookup
    wanted = next(f.Feature.LookupListIndex for f in features if f.FeatureTag == "tnum")
    mapping: dict[str, str] = {}
    for index in wanted:
        for table in lookups[index].SubTable:
            mapping.update(getattr(table, "ExtSubTable", table).mapping)
    for table in font["cmap"].tables:
        for code, glyph in list(table.cmap.items()):
            table.cmap[code] = mapping.get(glyph, glyph)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = f"Plaza Figures {weight}".replace(
                " ", "-" if record.nameID == 6 else " "
            )
    font.save(out)


def icons(package: Path, out: Path) -> None:
    """The named Lucide icons as one small font and their code points as JSON."""
    codepoints = json.loads((package / "font/codepoints.json").read_text())
    missing = [name for name in ICONS if name not in codepoints]
    if missing:
        print("not in this Lucide:", *missing)  # noqa: T201
    chosen = {name: codepoints[name] for name in ICONS if name in codepoints}
    options = subset.Options(layout_features=[], name_IDs=["*"], notdef_outline=True)
    font = subset.load_font(str(package / "font/lucide.ttf"), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=chosen.values())
    subsetter.subset(font)
    subset.save_font(font, str(out / "PlazaIcons.ttf"), options)
    table = {name: chosen[name] for name in sorted(chosen)}
    (out / "icons.json").write_text(json.dumps(table, indent=0) + "\n")


FALLBACK = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x186, 0x186), (0x18E, 0x190), (0x197, 0x197), (0x19F, 0x19F),
    (0x1CD, 0x1DC), (0x1DD, 0x1DD), (0x244, 0x244), (0x254, 0x254), (0x259, 0x259), (0x25B, 0x25B),
    (0x268, 0x268), (0x275, 0x275), (0x289, 0x289), (0x294, 0x294), (0x2B0, 0x2B0), (0x2B7, 0x2B7),
    (0x2B9, 0x2BC), (0x2C0, 0x2C0), (0x2C6, 0x2C8), (0x2D0, 0x2D0), (0x2D8, 0x2DD), (0x300, 0x308),
    (0x30A, 0x30C), (0x323, 0x328), (0x32D, 0x332), (0x1E00, 0x1EFF), (0x2010, 0x2026),
    (0x20AC, 0x20AC), (0x2116, 0x2116), (0x2122, 0x2122), (0x2212, 0x2212), (0xA78B, 0xA78C),
)  # fmt: skip
"""Letters and marks of the orthographies of Mexico's languages, with the punctuation around them."""


def fallback(noto: Path, out: Path) -> None:
    """Two weights of Noto Sans cut to FALLBACK, and what else than ASCII all text fonts draw."""
    wanted = [code for first, last in FALLBACK for code in range(first, last + 1)]
    for weight in ("Regular", "Bold"):
        options = subset.Options(
            layout_features=["ccmp", "locl", "mark", "mkmk", "kern"], hinting=False, name_IDs=["*"]
        )
        font = subset.load_font(str(noto / f"NotoSans-{weight}.ttf"), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        subset.save_font(font, str(out / f"NotoSans-{weight}-Plaza.ttf"), options)
    names = [*(f"AtkinsonHyperlegibleNext-{w}" for w in WEIGHTS.values()),
             *(f"PlazaFigures-{w}" for w in FIGURES.values())]  # fmt: skip
    drawn = [set(TTFont(out / f"{name}.ttf").getBestCmap()) for name in names]
    beyond = "".join(chr(c) for c in sorted(set.intersection(*drawn)) if c > 0x7E)
    (out / "coverage.json").write_text(json.dumps({"beyond_ascii": beyond}) + "\n")


def main() -> None:
    if sys.argv[1] == "--fallback":
        fallback(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    atkinson, lucide, noto, out = (Path(a) for a in sys.argv[1:5])
    for folder, weight in WEIGHTS.items():
        source = atkinson / folder / f"AtkinsonHyperlegibleNext_{folder}.ttf"
        shutil.copyfile(source, out / f"AtkinsonHyperlegibleNext-{weight}.ttf")
        if folder in FIGURES:
            tabular(source, out / f"PlazaFigures-{weight}.ttf", weight)
    icons(lucide, out)
    fallback(noto, out)


if __name__ == "__main__":
    main()
