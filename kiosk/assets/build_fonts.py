"""Make the kiosk's fonts from their sources, at development time only (needs fontTools).

    python build_fonts.py ATKINSON_PACKAGE LUCIDE_PACKAGE OUT

ATKINSON_PACKAGE and LUCIDE_PACKAGE are the unpacked packages `@expo-google-fonts/atkinson-hyperlegible-next`
and `lucide-static`. Text weights are copied as they are. "Plaza Figures" is Atkinson with its tabular
figures as the default ones, because SDL_ttf cannot switch font features. "Plaza Icons" holds only the
Lucide icons named below; `icons.json` maps a name to its code point.
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
accessibility ambulance archive arrow-big-up arrow-down arrow-left arrow-right arrow-up baby badge-check
badge-percent banknote bell book-open briefcase briefcase-business building building-2 bus calendar
calendar-days calendar-clock car check check-check chevron-down chevron-left chevron-right chevron-up
circle circle-alert circle-check circle-dollar-sign circle-dot circle-help circle-question-mark circle-x
clipboard clipboard-list clock cloud cloud-off clover coins construction cone cookie copy cross credit-card
delete dog door-open droplet droplets eraser eye factory file file-check file-heart file-pen file-plus
file-question-mark file-search file-text files fingerprint-pattern flag flame folder folder-search footprints fuel
gavel gem gift globe graduation-cap grid-2x2 hammer hand hand-coins hand-heart hard-hat headphones heart
heart-handshake heart-pulse history hospital house id-card image inbox info key keyboard landmark languages
layers layout-grid leaf lightbulb lightbulb-off link list list-checks loader loader-circle lock log-out mail
map map-pin map-pinned megaphone message-circle message-circle-warning message-square
message-square-warning mic minus monitor moon move music navigation newspaper notebook-pen octagon-alert
octagon-x package paw-print pen pencil percent person-standing phone phone-call pill plug plus power printer
printer-check qr-code receipt receipt-text recycle refresh-ccw refresh-cw road rotate-ccw route ruler save scale
school scroll-text search send shield shield-alert shield-check shopping-bag shopping-cart shovel siren
smartphone smartphone-nfc smile sparkles sprout square square-check star stethoscope store sun syringe tag target tent
thumbs-up ticket timer trash trash-2 tree-deciduous tree-palm tree-pine trees triangle-alert truck undo-2
user user-check user-round users users-round utensils utility-pole volume-2 volume-x wallet warehouse
waves wheat wifi wifi-off wrench x zap
""".split()


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


def main() -> None:
    atkinson, lucide, out = (Path(a) for a in sys.argv[1:4])
    for folder, weight in WEIGHTS.items():
        source = atkinson / folder / f"AtkinsonHyperlegibleNext_{folder}.ttf"
        shutil.copyfile(source, out / f"AtkinsonHyperlegibleNext-{weight}.ttf")
        if folder in FIGURES:
            tabular(source, out / f"PlazaFigures-{weight}.ttf", weight)
    icons(lucide, out)


if __name__ == "__main__":
    main()
