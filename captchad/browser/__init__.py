"""Browsers and their pages: playwright lives only here. The worker sees `engine`, made with what `backends` chooses.

browsers/ lends browsers and judges which hang; tabs/ lends tabs in them; launch/ starts browsers here, remote/ reaches
those elsewhere, node/ offers one to others. page/ is an open page, finding/ finds its captcha, forms/ answers it.
"""
