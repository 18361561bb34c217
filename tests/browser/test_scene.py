"""The 3D scene of the explorer in a browser: its content, rotation and selection."""

import numpy as np
import pytest
from browser.explorer_page import FIRST, IDLE, apart, drawn, go, picture, text, visit
from numpy.lib.stride_tricks import sliding_window_view

from slowpoints.explorer.page import write_page

DISC = 3  # side of a square, in pixels, within a disc and out of most lines


def discs(explorer):
    """Position of each class's disc in the scene, [row, column] in pixels, or None if hidden."""
    pixels = picture(explorer, "#state_space canvas")
    found = []
    for colour in explorer.evaluate("JSON.parse(document.getElementById('header').textContent).colours.digits"):
        rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        squares = sliding_window_view((pixels == rgb).all(axis=2), (DISC, DISC)).all(axis=(2, 3))
        found.append(np.argwhere(squares)[0] + DISC // 2 if squares.any() else None)
    return found


def test_the_scene_shows_slow_points_in_their_colours(explorer):
    """An empty scene, or one with axes only, has no discs in the colours of classes."""
    assert sum(place is not None for place in discs(explorer)) >= 8  # two may be hidden behind others


def test_the_scene_shows_paths_and_unstable_directions(explorer):
    """In these tables, paths lead from centres to slow points."""
    scene = "document.querySelector('#state_space .plot').data"
    found = explorer.evaluate(scene + ".map(({ meta, hovertext, x }) => [meta.label, hovertext[0], x])")
    kinds = ("0 frames after the class centre", "unstable direction at the slow point", "class 3, class centre")
    path, unstable, ends = ([x for label, said, x in found if label == 3 and kind in said] for kind in kinds)
    assert [path[0][0], path[0][-1]] == pytest.approx(ends[0], abs=1e-5)
    assert unstable[0] == pytest.approx([ends[0][1] - 1, ends[0][1] + 1], abs=1e-5)
    red, green, blue = picture(explorer, "#state_space canvas").astype(int).transpose(2, 0, 1)
    assert ((red > green + 100) & (blue > green + 50)).sum() > 50  # magenta, which no class has


def test_a_scene_without_paths_says_so(page, tables, tmp_path):
    older = tables["trajectories"][tables["trajectories"]["kind"].isin(["trial", "centre", "slow_point"])]
    write_page("embedded", tables | {"trajectories": older}, tmp_path / "explorer.html")
    visit(page, tmp_path / "explorer.html")
    assert "no paths or unstable directions" in text(page, "#state_space .note")


def test_the_scene_turns_and_is_reset(explorer):
    scene = "document.querySelector('#state_space .plot')._fullLayout.scene"
    seen_from, kept = f"{scene}._scene.getCamera().eye.x", f"{scene}.camera.eye.x"
    before = picture(explorer, "#state_space canvas")
    box = explorer.locator("#state_space .plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.mouse.move(x, y)
    explorer.mouse.down()
    for step in range(1, 5):  # not all between two frames: the scene looks where the pointer is when it draws
        explorer.mouse.move(x + 30 * step, y + 8 * step)
        explorer.wait_for_timeout(150)
    explorer.mouse.up()
    explorer.mouse.move(0, 0)
    explorer.wait_for_function(f"Math.abs({kept} - 1.3) > 0.05")
    assert np.abs(picture(explorer, "#state_space canvas").astype(int) - before).max() > 50
    turned = explorer.evaluate(seen_from)
    go(explorer, "#digits/gru/vocu/1")  # another network is seen from the same side
    assert explorer.evaluate(seen_from) == pytest.approx(turned)
    go(explorer, FIRST)
    assert explorer.evaluate(seen_from) == pytest.approx(turned)
    explorer.click("#reset_view")
    explorer.wait_for_function(f"Math.abs({seen_from} - 1.3) < 1e-6")


def test_a_click_on_a_slow_point_of_the_scene_picks_its_class_and_another_click_all(explorer):
    explorer.reload()  # a scene that was turned before does not always see the first click
    explorer.wait_for_selector("body[data-drawn]")
    go(explorer, FIRST)
    box = explorer.locator("#state_space canvas").bounding_box()
    for label, disc in enumerate(discs(explorer)):
        if disc is None:
            continue
        place = box["x"] + float(disc[1]), box["y"] + float(disc[0])
        for address in (f"{FIRST}/class-{label}", FIRST):
            explorer.mouse.move(place[0] - 30, place[1] - 30)
            explorer.mouse.move(*place, steps=3)
            explorer.wait_for_timeout(1500)  # the scene looks what is under the pointer when it next draws
            explorer.mouse.down()
            explorer.mouse.up()
            drawn(explorer, address)
        return
    pytest.fail("no slow point can be seen whole")


def test_without_webgl_the_scene_is_flat_and_says_so(plain_page, file, screenshots):
    visit(plain_page, file)
    plain_page.screenshot(path=screenshots / "explorer-without-webgl.png")
    assert "no WebGL" in text(plain_page, "#state_space .note")
    kinds = plain_page.evaluate("document.querySelector('#state_space .plot').data.map(trace => trace.type)")
    assert set(kinds) == {"scatter"}
    assert (picture(plain_page, "#state_space .plot").min(axis=2) < 200).sum() > 500
    assert not plain_page.locator("#reset_view").is_visible()
    place, label = apart(plain_page, "state_space")
    plain_page.mouse.click(*place)
    drawn(plain_page, f"{FIRST}/class-{label}")


def test_a_scene_that_loses_webgl_goes_on_flat(page, file):
    visit(page, file)
    page.evaluate(
        "(() => { const canvas = document.querySelector('#state_space canvas');"
        "const context = canvas.getContext('webgl') ?? canvas.getContext('webgl2');"
        "context.getExtension('WEBGL_lose_context').loseContext() })()"
    )
    page.wait_for_selector("#state_space .scatterlayer")
    page.wait_for_function(IDLE)
    assert "no WebGL" in text(page, "#state_space .note")
